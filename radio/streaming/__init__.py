"""From encoded chunks to listeners: ICY metadata, mounts, listening connections and playlists.

Import from the modules; this package re-exports nothing, so that the pure ones stay free of the event loop.
"""
