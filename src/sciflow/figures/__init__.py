"""Figures: each kind computes its numbers, then draws them.

A kind is a module with two functions: ``numbers(source, wanted)`` makes a value that tests and tables read, and
``draw(numbers, figure, page)`` paints one page of it. `kinds` knows them all; `picture` is what users get.
"""
