"""The six steps of an application on one page: applicant, item, situation, form, materials, checks."""
