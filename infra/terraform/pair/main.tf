# The stack of infra/pair.yaml: a further pair of a stack of infra/template.yaml, in the same account and Region.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_cloudformation_stack" "this" {
  name          = coalesce(var.stack_name, "${var.base_stack_name}-pair-${var.pair_name}")
  template_body = file("${path.module}/../../pair.yaml")
  parameters    = local.parameters
  capabilities  = ["CAPABILITY_IAM"]
  tags          = var.tags
}
