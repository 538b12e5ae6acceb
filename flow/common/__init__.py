"""What every room needs: terminal, cache, checked inputs, Markdown, tools of this machine, worker processes."""
