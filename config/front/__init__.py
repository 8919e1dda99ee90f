"""The asynchronous front of the web process: slow clients wait here, and hold none of the API's threads.

A body is taken in on the event loop, at a minimum rate, before a thread is given; an answer is sent from the loop,
after the thread was given back. Files are read in pieces as the client takes them.
"""
