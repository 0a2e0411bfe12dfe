"""Data-subject requests: the app's place in the layers; its models come with the rights issue."""
