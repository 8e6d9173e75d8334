"""Who walks where and when, filmed by every camera, with the truth written down."""
