"""How it is said: the JSON of API v2, read and written for the server and the client alike."""
