"""Durable workflows: bindings to them, the engine, the life of an instance's steps."""
