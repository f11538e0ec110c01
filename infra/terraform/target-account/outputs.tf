# Written by infra/terraform/generate.py from infra/target-account.yaml: change it there, then run `make terraform`.

output "target_role_arn" {
  description = "TargetAccountRoleArn of the stack in the source account, and the principal of the source bucket policy."
  value       = aws_cloudformation_stack.this.outputs["TargetRoleArn"]
}

output "target_bucket_name" {
  description = "The bucket to copy to."
  value       = aws_cloudformation_stack.this.outputs["TargetBucketName"]
}
