"""What must hold of the finished site in a browser (`make site-check`).

pages    links within the site, read from its files
browser  a headless Chromium, spoken to by its own protocol
rules    what is asked of a page in the browser
"""
