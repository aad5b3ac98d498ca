"""The steps of a workflow, read from its source without running it; as the platform's JSON, Mermaid or text. Pure."""

from emulator.graph.mermaid import as_mermaid
from emulator.graph.nodes import Graph
from emulator.graph.outline import as_outline
from emulator.graph.read import read
from emulator.graph.rest import as_rest

__all__ = ["Graph", "as_mermaid", "as_outline", "as_rest", "read"]
