"""What can be wrong with a config: one rule a file, in families.

C0 document, C1 models, C2 integration, C3 local, C4 event, C5 what is
looked up in JumpStart's catalogue; `registry` lists them all.
"""
