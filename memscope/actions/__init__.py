"""What a person can ask for, one function each. Only here do rooms, store and engines meet; long ones take a Job."""
