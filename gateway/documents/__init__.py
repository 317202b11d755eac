"""What people receive: documents about students and rules, each with a verification code and a row in the record.

Every document goes through :func:`gateway.documents.issue.issue`. The PDF ones are HTML (``templates/``) printed by
:mod:`gateway.documents.page`; WeasyPrint is imported only there and only when a page is made.
"""
