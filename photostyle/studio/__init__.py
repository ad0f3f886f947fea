"""The browser studio: a local server and one page, from two photographs to a finished one.

app.py        the application: routes, errors, the page
routes/       what can be asked for under /api, a file for each noun
service.py    what all requests share: sessions, queue, limits
guard.py      who may talk to it: hosts, origins, a password, sizes of uploads
picture.py    a photograph that was uploaded
painting.py   regions that were painted over two of them
describing.py what these regions are called
words.py      the page's words for what the library says
result.py     what was made, and the order for it
sessions.py   all of these of a page; only that can be read again
shelf.py      looks that are kept
wearing.py, tabling.py   looks on other photographs, and for other programs
wishes.py, saving.py     how a result is adjusted, and written to a file
worker.py     one job at a time, the others wait; progress, cancelling, time left
making.py     the jobs: find regions, preview and render, cut out
controls.py   the recipes' settings as controls of a page
serve.py      the address, the temporary folder, the end
page/         HTML, CSS and JavaScript modules, used as they are
"""
