"""One study a page: a module with `CLAIMS` and `measure`."""
