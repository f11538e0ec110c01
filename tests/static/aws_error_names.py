"""The error names that AWS can give a state, from AWS's pages and service model, and which of them are hopeless."""

import botocore.session

# Error names of Amazon States Language
# (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
STATES = set(
    "States.ALL States.BranchFailed States.DataLimitExceeded States.ExceedToleratedFailureThreshold "
    "States.HeartbeatTimeout States.Http.Socket States.IntrinsicFailure States.ItemReaderFailed "
    "States.NoChoiceMatched States.ParameterPathFailure States.Permissions States.QueryEvaluationError "
    "States.ResultPathMatchFailure States.ResultWriterFailed States.Runtime States.TaskFailed States.Timeout".split()
)
# What Lambda fails with, and what the client that Step Functions calls it with adds
# (https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html). Lambda.Unknown is
# "unhandled errors, these include out-of-memory errors and function timeouts".
LAMBDA_CLIENT = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.Unknown",
}
# The errorType of an invocation whose process ended. The first three were recorded from AWS. Runtime.OutOfMemory is in
# many users' logs, but on no page of AWS that we found (https://github.com/nasa-gcn/gcn.nasa.gov/pull/3628). Before,
# out of memory was Runtime.ExitError with "signal: killed" (https://github.com/awslabs/amazon-s3-find-and-forget/pull/283).
PROCESS = {"Function.ResponseSizeTooLarge", "Runtime.ExitError", "Sandbox.Timedout", "Runtime.OutOfMemory"}

# What Invoke can fail with that another attempt cannot heal here, each for a reason that this project's functions
# decide: they have no VPC, file system, SnapStart, container image, customer key, qualifier or durable execution, and
# the machine composes their requests.
NOT_RETRIED = {
    "no VPC": "EC2AccessDenied EC2Throttled EC2Unexpected ENILimitReached ENINotReady SubnetIPAddressLimitReached "
    "InvalidSecurityGroupID InvalidSubnetID",
    "no file system": "EFSIO EFSMountConnectivity EFSMountFailure EFSMountTimeout S3FilesMountConnectivity "
    "S3FilesMountFailure S3FilesMountTimeout",
    "no SnapStart": "SnapStart SnapStartNotReady SnapStartRegenerationFailure SnapStartTimeout",
    "no customer key": "KMSAccessDenied KMSDisabled KMSInvalidState KMSNotFound",
    "no code from CodeArtifact": "CodeArtifactUserDeleted CodeArtifactUserFailed CodeArtifactUserPending",
    "no durable execution, version or other mode": "DurableExecutionAlreadyStarted NoPublishedVersion ModeNotSupported",
    "the deployment is wrong": "InvalidRuntime InvalidZipFile ResourceNotFound ServiceQuotaExceeded",
    "the request is wrong": "InvalidParameterValue InvalidRequestContent RecursiveInvocation RequestTooLarge "
    "SerializedRequestEntityTooLarge UnsupportedMediaType",
}


def invoke_errors():
    """The errors of lambda:Invoke, from AWS's service model, as Step Functions names them."""
    model = botocore.session.get_session().get_service_model("lambda")
    return {f"Lambda.{shape.name}" for shape in model.operation_model("Invoke").error_shapes}


def not_retried():
    """The errors of lambda:Invoke that nothing is gained by retrying."""
    return {f"Lambda.{name}Exception" for names in NOT_RETRIED.values() for name in names.split()}


def known_names():
    """Every name that AWS can give a state of this machine."""
    return STATES | LAMBDA_CLIENT | PROCESS | invoke_errors()
