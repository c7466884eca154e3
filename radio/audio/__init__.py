"""Sound: decode, measure, mix and encode.

Everything between the parts is float32: of shape ``(n, 2)`` at 48 kHz (:data:`radio.audio.pcm.Pcm`) on its way
to the air, of shape ``(2, n)`` at the file's rate where it is measured. Only ``reader``, ``loudness`` and
``frame_codec`` use PyAV, only ``encode`` uses LAME, and only ``prepare`` uses pydub; the rest is pure.
"""
