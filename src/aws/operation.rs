//! The requests that the operator makes of AWS: a closed set.

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};
use std::fmt;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// API Gateway, version 2.
    ApiGateway,
    /// Lambda.
    Lambda,
    /// IAM: one endpoint for all Regions of a partition (D).
    Iam,
    /// STS.
    Sts,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ApiGateway, Self::Lambda, Self::Iam, Self::Sts, Self::Logs];

    /// Whether each Region of objects has clients of its own; of the others the process has one.
    pub(super) const fn is_regional(self) -> bool {
        matches!(self, Self::ApiGateway | Self::Lambda | Self::Logs)
    }

    /// The word in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiGateway => "apigatewayv2",
            Self::Lambda => "lambda",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Logs => "logs",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ApiGateway => "API Gateway",
            Self::Lambda => "Lambda",
            Self::Iam => "IAM",
            Self::Sts => "STS",
            Self::Logs => "CloudWatch Logs",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Service {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

/// Whether a request may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing, and may be sent again.
    Read,
    /// It may change something: it is sent once.
    Write,
}

/// The name of an operation: that of its variant, unless two services use one.
macro_rules! word {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $word:literal) => {
        $word
    };
}

macro_rules! operations {
    ($($name:ident $(= $word:literal)?: $service:ident $kind:ident $action:literal,)*) => {
        /// A request to AWS.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("Needs `", $action, "`.")] $name,)*
        }

        impl Operation {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in AWS.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => word!($name $($word)?),)* }
            }

            /// The service that it goes to.
            pub const fn service(self) -> Service {
                match self { $(Self::$name => Service::$service,)* }
            }

            /// Whether it may change something.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// The IAM action that allows it. API Gateway's actions are HTTP verbs on paths (D).
            pub const fn action(self) -> &'static str {
                match self { $(Self::$name => $action,)* }
            }
        }
    };
}

operations! {
    GetApis: ApiGateway Read "apigateway:GET on /apis",
    GetApi: ApiGateway Read "apigateway:GET on /apis/*",
    CreateApi: ApiGateway Write "apigateway:POST on /apis",
    UpdateApi: ApiGateway Write "apigateway:PATCH on /apis/*",
    DeleteApi: ApiGateway Write "apigateway:DELETE on /apis/*",
    DeleteCorsConfiguration: ApiGateway Write "apigateway:DELETE on /apis/*/cors",
    TagResource: ApiGateway Write "apigateway:POST on /tags/*",
    UntagResource: ApiGateway Write "apigateway:DELETE on /tags/*",
    GetAuthorizers: ApiGateway Read "apigateway:GET on /apis/*/authorizers",
    CreateAuthorizer: ApiGateway Write "apigateway:POST on /apis/*/authorizers",
    UpdateAuthorizer: ApiGateway Write "apigateway:PATCH on /apis/*/authorizers/*",
    DeleteAuthorizer: ApiGateway Write "apigateway:DELETE on /apis/*/authorizers/*",
    GetIntegrations: ApiGateway Read "apigateway:GET on /apis/*/integrations",
    CreateIntegration: ApiGateway Write "apigateway:POST on /apis/*/integrations",
    UpdateIntegration: ApiGateway Write "apigateway:PATCH on /apis/*/integrations/*",
    DeleteIntegration: ApiGateway Write "apigateway:DELETE on /apis/*/integrations/*",
    GetRoutes: ApiGateway Read "apigateway:GET on /apis/*/routes",
    CreateRoute: ApiGateway Write "apigateway:POST on /apis/*/routes",
    UpdateRoute: ApiGateway Write "apigateway:PATCH on /apis/*/routes/*",
    DeleteRoute: ApiGateway Write "apigateway:DELETE on /apis/*/routes/*",
    GetStages: ApiGateway Read "apigateway:GET on /apis/*/stages",
    GetStage: ApiGateway Read "apigateway:GET on /apis/*/stages/*",
    CreateStage: ApiGateway Write "apigateway:POST on /apis/*/stages",
    UpdateStage: ApiGateway Write "apigateway:PATCH on /apis/*/stages/*",
    DeleteStage: ApiGateway Write "apigateway:DELETE on /apis/*/stages/*",
    GetFunctionConfiguration: Lambda Read "lambda:GetFunctionConfiguration",
    GetPolicy: Lambda Read "lambda:GetPolicy",
    AddPermission: Lambda Write "lambda:AddPermission",
    RemovePermission: Lambda Write "lambda:RemovePermission",
    GetFunction: Lambda Read "lambda:GetFunction",
    ListFunctionTags = "ListTags": Lambda Read "lambda:ListTags",
    CreateFunction: Lambda Write "lambda:CreateFunction",
    UpdateFunctionCode: Lambda Write "lambda:UpdateFunctionCode",
    UpdateFunctionConfiguration: Lambda Write "lambda:UpdateFunctionConfiguration",
    TagFunction = "TagResource": Lambda Write "lambda:TagResource",
    UntagFunction = "UntagResource": Lambda Write "lambda:UntagResource",
    DeleteFunction: Lambda Write "lambda:DeleteFunction",
    DescribeLogGroups: Logs Read "logs:DescribeLogGroups",
    ListLogGroupTags = "ListTagsForResource": Logs Read "logs:ListTagsForResource",
    CreateLogGroup: Logs Write "logs:CreateLogGroup",
    PutRetentionPolicy: Logs Write "logs:PutRetentionPolicy",
    TagLogGroup = "TagResource": Logs Write "logs:TagResource",
    UntagLogGroup = "UntagResource": Logs Write "logs:UntagResource",
    DeleteLogGroup: Logs Write "logs:DeleteLogGroup",
    GetRole: Iam Read "iam:GetRole",
    GetRolePolicy: Iam Read "iam:GetRolePolicy",
    ListRolePolicies: Iam Read "iam:ListRolePolicies",
    ListAttachedRolePolicies: Iam Read "iam:ListAttachedRolePolicies",
    CreateRole: Iam Write "iam:CreateRole",
    UpdateAssumeRolePolicy: Iam Write "iam:UpdateAssumeRolePolicy",
    PutRolePermissionsBoundary: Iam Write "iam:PutRolePermissionsBoundary",
    PutRolePolicy: Iam Write "iam:PutRolePolicy",
    TagRole: Iam Write "iam:TagRole",
    UntagRole: Iam Write "iam:UntagRole",
    DeleteRolePolicy: Iam Write "iam:DeleteRolePolicy",
    DeleteRole: Iam Write "iam:DeleteRole",
    GetCallerIdentity: Sts Read "sts:GetCallerIdentity",
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Operation {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}
