//! What differs between the partitions of AWS beside the ARNs: the names of its hosts.

/// The suffix of a partition's endpoints, as `AWS::URLSuffix` gives it to the templates. `tests/static/test_partitions.py`
/// holds the table equal to AWS's own (the partitions of the endpoint rules, in botocore's data).
#[must_use]
pub fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        // And aws-us-gov, which has the same.
        _ => "amazonaws.com",
    }
}

/// The host of a partition's console, without the Region before it. Those of the isolated partitions are not public.
pub(super) fn console_host(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => "console.aws.amazon.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::arn::ExecutionArn;

    #[test]
    fn a_link_leads_to_the_console_of_its_partition() {
        for (partition, region, host) in [
            ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
            (
                "aws-us-gov",
                "us-gov-west-1",
                "us-gov-west-1.console.amazonaws-us-gov.com",
            ),
            (
                "aws-eusc",
                "eusc-de-east-1",
                "eusc-de-east-1.console.amazonaws-eusc.eu",
            ),
        ] {
            let arn = format!("arn:{partition}:states:{region}:111111111111:execution:m:night");
            let url = ExecutionArn::new(arn.as_str()).unwrap().console_url();
            assert_eq!(
                url,
                format!("https://{host}/states/home?region={region}#/v2/executions/details/{arn}")
            );
        }
    }

    #[test]
    fn a_partition_that_is_unknown_has_the_common_suffix() {
        assert_eq!(dns_suffix("aws"), "amazonaws.com");
        assert_eq!(dns_suffix("aws-us-gov"), "amazonaws.com");
        assert_eq!(dns_suffix("aws-new"), "amazonaws.com");
    }
}
