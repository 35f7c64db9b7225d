"""The documentation as one static site (`make site`): course, results, reference and the pages of the repository.

Writers turn what is there into pages of MyST Markdown, and Sphinx makes the site of them. Nothing is executed again:
notebooks of studies are shown as they are stored. The site opens from a disk as from a server.

tree        which pages there are, in which order, below which heading
links       where a file of the repository is on the site
markdown    a Markdown file of the repository as a page
notebook    a notebook as a page
studies     the results of a study as a page
reference   the reference of the library
files       what the site has beside its pages
pictures    figures for light pages and for dark ones
finish      names and heads of tables and images in the pages that Sphinx made
check       what must hold of it in a browser
build       all of it, with the configuration of Sphinx
"""
