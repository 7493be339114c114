"""Sending: what is not known to have left is asked for, other channels take over, and nobody is woken for nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from domain import messages
from domain.accounts import Channel, Contact
from domain.actor import Actor
from domain.db import Sessions, transaction
from domain.messages import Address, Attempt, Message, MessageState, Outcome
from domain.numbering import Numbered
from domain.origin import Origin
