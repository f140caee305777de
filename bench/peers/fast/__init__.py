"""Deals with FastAPI and SQLAlchemy's asynchronous ORM over asyncpg, served by uvicorn.

What a good team writes: models in and out, the rows of one order in one transaction, a pool of
connections, keys remembered for a moment, uvloop and httptools.
"""
