"""C5: models of the JumpStart catalogue, once they are looked up; `plan.facts` finds these."""
