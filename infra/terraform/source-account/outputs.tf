# Written by infra/terraform/generate.py from infra/template.yaml: change it there, then run `make terraform`.

output "state_machine_arn" {
  description = "The state machine. Start a run here."
  value       = aws_cloudformation_stack.this.outputs["StateMachineArn"]
}

output "ledger_table" {
  description = "The DynamoDB table that holds the state of every run."
  value       = aws_cloudformation_stack.this.outputs["LedgerTable"]
}

output "control_bucket_name" {
  description = "The bucket with plans and reports, under runs/<run id>/."
  value       = aws_cloudformation_stack.this.outputs["ControlBucketName"]
}

output "topic_arn" {
  description = "The topic for notifications about runs and alarms."
  value       = aws_cloudformation_stack.this.outputs["TopicArn"]
}

output "planner_role_arn" {
  description = "Parameter PlannerRoleArn of target-account.yaml."
  value       = aws_cloudformation_stack.this.outputs["PlannerRoleArn"]
}

output "copier_role_arn" {
  description = "Parameter CopierRoleArn of target-account.yaml."
  value       = aws_cloudformation_stack.this.outputs["CopierRoleArn"]
}

output "reporter_role_arn" {
  description = "Parameter ReporterRoleArn of target-account.yaml."
  value       = aws_cloudformation_stack.this.outputs["ReporterRoleArn"]
}

output "renderer_role_arn" {
  description = "Parameter RendererRoleArn of target-account.yaml."
  value       = lookup(aws_cloudformation_stack.this.outputs, "RendererRoleArn", null)
}

output "planner_function_name" {
  description = "The planner function."
  value       = aws_cloudformation_stack.this.outputs["PlannerFunctionName"]
}

output "copier_function_name" {
  description = "The copier function."
  value       = aws_cloudformation_stack.this.outputs["CopierFunctionName"]
}

output "renderer_function_name" {
  description = "The renderer function."
  value       = lookup(aws_cloudformation_stack.this.outputs, "RendererFunctionName", null)
}

output "reporter_function_name" {
  description = "The reporter function."
  value       = aws_cloudformation_stack.this.outputs["ReporterFunctionName"]
}

output "schedule_dead_letters_url" {
  description = "The queue that shows why a nightly run could not be started."
  value       = aws_cloudformation_stack.this.outputs["ScheduleDeadLettersUrl"]
}

output "intake_function_name" {
  description = "The intake function."
  value       = lookup(aws_cloudformation_stack.this.outputs, "IntakeFunctionName", null)
}

output "intake_role_arn" {
  description = "The role of the intake."
  value       = lookup(aws_cloudformation_stack.this.outputs, "IntakeRoleArn", null)
}

output "events_queue_url" {
  description = "The queue of events of the source."
  value       = lookup(aws_cloudformation_stack.this.outputs, "EventsQueueUrl", null)
}

output "events_dead_letters_url" {
  description = "The queue of events that could not be taken."
  value       = lookup(aws_cloudformation_stack.this.outputs, "EventsDeadLettersUrl", null)
}

output "target_account_command" {
  description = "The command with which the target account's owner deploys target-account.yaml. Name the target bucket's Region, and set CreateTargetBucket=true if the bucket does not exist yet."
  value       = aws_cloudformation_stack.this.outputs["TargetAccountCommand"]
}
