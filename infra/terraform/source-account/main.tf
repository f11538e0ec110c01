# The stack of infra/template.yaml. Terraform uploads the functions' zips, the state machine and the template, and hands
# them to CloudFormation, so that both ways deploy the same description.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

locals {
  infra      = "${path.module}/../.."
  zips       = { for name in ["planner", "copier", "renderer", "reporter", "intake"] : name => "${var.package_directory}/${name}.zip" }
  definition = "${local.infra}/../statemachine/sync.asl.json"
  # Named after the content, so that a change of a file is a change of the stack.
  release = sha256(join("", [for file in concat(values(local.zips), [local.definition]) : filesha256(file)]))
  folder  = "${var.artifacts_prefix}${local.release}"
  # The template with the uploaded files in place of those beside it, as `aws cloudformation package` writes it.
  template = replace(
    replace(
      file("${local.infra}/template.yaml"),
      "/\\.\\./target/lambda/(\\w+\\.zip)/", "s3://${var.artifacts_bucket}/${local.folder}/$1"
    ),
    "../statemachine/", "s3://${var.artifacts_bucket}/${local.folder}/"
  )
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.artifacts_bucket
}

resource "aws_s3_object" "zip" {
  for_each    = local.zips
  bucket      = var.artifacts_bucket
  key         = "${local.folder}/${each.key}.zip"
  source      = each.value
  source_hash = filesha256(each.value)
}

resource "aws_s3_object" "definition" {
  bucket      = var.artifacts_bucket
  key         = "${local.folder}/sync.asl.json"
  source      = local.definition
  source_hash = filesha256(local.definition)
}

# Above the 51,200 bytes that CloudFormation takes in a request.
resource "aws_s3_object" "template" {
  bucket       = var.artifacts_bucket
  key          = "${var.artifacts_prefix}${sha256(local.template)}/template.yaml"
  content      = local.template
  content_type = "application/yaml"
}

resource "aws_cloudformation_stack" "this" {
  name         = var.stack_name
  template_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  parameters   = local.parameters
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags
  depends_on   = [aws_s3_object.zip, aws_s3_object.definition]
}
