"""How the command reaches the exports: in this process or by HTTP."""
