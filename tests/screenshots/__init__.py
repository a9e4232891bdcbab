"""Pictures of every page of the console, with the demo's data in it."""
