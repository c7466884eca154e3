"""Push: what players are told, and how it reaches any number of them.

``bus`` carries bytes between parts of the service, ``hub`` keeps each station's state and fans changes out,
and ``messages`` fixes the frames of protocol version 1. Nothing here knows a transport:
``radio.api.push_socket``, ``radio.api.events_stream`` and ``radio.api.long_poll`` are three over the same hub.
"""
