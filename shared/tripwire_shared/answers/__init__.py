"""What the API answers: the one shape of each answer, which the API sends, its OpenAPI describes, the admin UI reads
and the tests' stand-in is checked against. May use of shared only how an e-mail address is shown."""
