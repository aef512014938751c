"""What a release is made of: its bills of materials, its vulnerabilities, its licences."""
