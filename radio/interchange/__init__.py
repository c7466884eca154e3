"""Schedules and logs in the words of other programs: calendars, playlists, RadioDNS, schema.org, Rivendell."""
