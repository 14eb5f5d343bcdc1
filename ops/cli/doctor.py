def doctor() -> None:
    """stub"""
