"""What can be wrong with a config that has been read: a family of rules in each folder or file here.

C1 models, C2 integration, C3 local, C4 event, C5 what is looked up in the JumpStart catalogue. The rules that
a reader breaks (C0) stand beside the readers, in `document/rules.py` and `shape/rules.py`.
"""
