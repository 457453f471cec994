output "name" {
  description = "Name of what was made."
  value       = terraform_data.this.output.name
}
