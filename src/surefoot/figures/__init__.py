"""Charts as pictures, without a browser: SVG and PNG from the same plain data as the pages."""
