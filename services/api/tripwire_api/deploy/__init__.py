"""What deploy/deploy.sh runs in the API's image: the record of a deploy, and the proof that the new version works."""
