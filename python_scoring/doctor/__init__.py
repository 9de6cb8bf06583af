"""`lm doctor`: are the rights, the sources and the models as they should be?"""
