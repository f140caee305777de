"""The human face: server-rendered pages, each one dataclass and one template."""
