"""The worker of a project that is all assets: it handles nothing."""
