"""The flow language: what admins write in YAML, a pure engine that runs it, and the flows themselves."""
