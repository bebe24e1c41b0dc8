"""The query language: `lr<1e-3 state:failed tag:base`. One parser, one tree, no database."""

from tidelog_server.runtable.query.errors import QueryError as QueryError
from tidelog_server.runtable.query.parser import parse as parse
from tidelog_server.runtable.query.parser import parse_key as parse_key
from tidelog_server.runtable.query.parser import parse_sort as parse_sort
