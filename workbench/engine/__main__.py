"""`python -m workbench.engine`: the engine process. The pipe is its standard input and output."""

from workbench.engine.server import serve

if __name__ == "__main__":
    serve()
