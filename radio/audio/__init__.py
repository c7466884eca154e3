"""Sound: decode, measure, mix and encode.

Everything between the parts is float32 of shape ``(n, 2)`` at 48 kHz (:data:`radio.audio.pcm.Pcm`). The
mixer, the fades, the bed, the limiter, the meter and the frame parser are pure; only ``decode`` and
``measure`` use PyAV, only ``encode`` uses LAME, and only ``prepare`` uses pydub.
"""
