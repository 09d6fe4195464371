"""Carries out a plan: one ordered lane per company, lanes concurrent, nothing twice."""
