"""What tests of all providers need to know of HayFrp; its own are beside this folder."""
