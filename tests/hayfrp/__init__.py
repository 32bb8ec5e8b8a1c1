"""HayFrp's part of the tests of all providers. Its own tests are in the folder above."""
