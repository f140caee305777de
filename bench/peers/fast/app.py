"""POST /api/public/deals/update_or_create/, and who may call it.

The database is named by `PEER_DATABASE_URL`.
"""

import hashlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.peers.fast.models import Key
from bench.peers.fast.shapes import DealSent, DealShown
from bench.peers.fast.upsert import save

POOL_SIZE = 32
REMEMBERED_S = 5.0


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+asyncpg:", 1)
    engine = create_async_engine(url, pool_size=POOL_SIZE, max_overflow=0)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    app.state.keys = {}
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def key(request: Request, authorization: Annotated[str, Header()] = "") -> str:
    """The name of the caller's key, which is remembered for a few seconds."""
    scheme, _, token = authorization.partition(" ")
    mark = hashlib.sha256(token.encode()).hexdigest()
    name, until = request.app.state.keys.get(mark, (None, 0.0))
    if time.monotonic() < until:
        return name
    async with request.app.state.sessions() as session:
        name = await session.scalar(select(Key.name).where(Key.hash == mark))
    if scheme != "Token" or name is None:
        raise HTTPException(401, "Invalid token.", {"WWW-Authenticate": "Token"})
    request.app.state.keys[mark] = (name, time.monotonic() + REMEMBERED_S)
    return name


@app.post("/api/public/deals/update_or_create/")
async def update_or_create(
    said: DealSent, request: Request, author: Annotated[str, Depends(key)]
) -> DealShown:
    """Create or change the deal; whoever loses a race to create one changes it."""
    sessions = request.app.state.sessions
    try:
        async with sessions.begin() as session:
            deal, is_new = await save(session, said, author)
    except IntegrityError:
        async with sessions.begin() as session:
            deal, is_new = await save(session, said, author)
    shown = DealShown.model_validate(deal)
    shown.created = is_new
    return shown
