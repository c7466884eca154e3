"""A station's state as players of other systems ask for it: AzuraCast, Icecast, LibreTime, NPR Composer."""
