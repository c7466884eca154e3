// Runs before any script of a page. It lets a test hear: which element plays, when a button was pressed, when
// sound began, which pitch is heard and which words stand beside it at that moment.
(() => {
  const ear = { audio: null, clicked_ms: null, sounded_ms: null, log: [], longest_frame_ms: 0 };
  window.__ear = ear;

  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    ear.audio = this;
    return play.call(this);
  };

  addEventListener('click', () => ((ear.clicked_ms = performance.now()), (ear.sounded_ms = null)), true);
  setInterval(() => {
    if (ear.sounded_ms === null && ear.audio && ear.audio.currentTime > 0) ear.sounded_ms = performance.now();
  }, 10);

  addEventListener('securitypolicyviolation', (event) => {
    console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI || 'inline code'}`);
  });

  const text = (root, name) => root.querySelector(`[data-testid="${name}"]`)?.textContent.trim() ?? '';

  // Notes every change of pitch and of words, frame by frame. The analyser's window of 43 ms says a change
  // about 20 ms late.
  ear.listen = async () => {
    const context = new AudioContext();
    const source = context.createMediaElementSource(ear.audio);
    const analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0 });
    source.connect(analyser).connect(context.destination);
    await context.resume();
    const bins = new Float32Array(analyser.frequencyBinCount);
    const shadow = document.querySelector('radio-player').shadowRoot;
    let last = '';
    let drawn_ms = performance.now();
    const frame = () => {
      const at_ms = performance.now();
      ear.longest_frame_ms = Math.max(ear.longest_frame_ms, at_ms - drawn_ms);
      drawn_ms = at_ms;
      analyser.getFloatFrequencyData(bins);
      const top = bins.reduce((best, value, index) => (value > bins[best] ? index : best), 0);
      const hz = bins[top] > -70 ? Math.round((top * context.sampleRate) / analyser.fftSize) : 0;
      const entry = { at_ms, hz, title: text(shadow, 'now-title'), support: text(shadow, 'supported-by') };
      const key = JSON.stringify([entry.hz, entry.title, entry.support]);
      if (key !== last) ear.log.push(entry);
      last = key;
      requestAnimationFrame(frame);
    };
    frame();
  };
})();
