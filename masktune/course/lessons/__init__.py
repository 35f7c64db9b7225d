"""The checks of the exercises, a module for each lesson, with what the lesson needs besides.

two_models C1, hide_and_refill C2, two_losses C3, threshold C4, against_itself C5, make_it_win C6, cure C7, own_data C8.
A check takes a student's answer, says in one sentence what is not right yet (grading.py), and prints that it is right
where it is.
"""
