//! What a pass aims at: where it acts, for whom, and what AWS should look like.

use super::{error::Error, pass::Pass};
use jwthttpapi_core::{
    api::{Draft, JwtHttpApiStatus, Reason},
    model::{
        Desired, Owner, build,
        name::{Place, RoleName, role_name},
    },
    planted,
};

/// What a pass aims at.
pub(crate) struct Aim {
    pub(crate) place: Place,
    pub(crate) owner: Owner,
    /// The stored one, or the one to be stored with the first intent.
    pub(crate) nonce: String,
    pub(crate) desired: Desired,
}

impl Aim {
    /// The invoke role's name, whether the spec wants one or not.
    pub(crate) fn role(&self) -> RoleName {
        role_name(&self.owner, &self.place.region)
    }
}

/// Builds the aim of a living object. None when nothing may be done; the findings say why.
pub(crate) async fn aim(pass: &mut Pass<'_>) -> Result<Option<Aim>, Error> {
    let Pass {
        ctx,
        record,
        findings,
        ..
    } = pass;
    let status = record.status();
    let place = ctx.aws.place(record.spec().region.as_deref()).await?;
    let owner = ctx.owner(record.object());
    if let Some(elsewhere) = elsewhere(&status, &place, &owner) {
        findings.accepted = Draft::yes(Reason::Accepted, "the spec is accepted");
        findings.resolved = Draft::unknown(
            Reason::NotObserved,
            "not looked up in another place than the API's",
        );
        findings.programmed = Draft::no(Reason::AccountMismatch, elsewhere);
        return Ok(None);
    }
    let nonce = status
        .nonce
        .unwrap_or_else(|| format!("{:032x}", fastrand::u128(..)));
    let desired = match build(record.spec(), &owner, &place, &nonce, &ctx.policy) {
        Ok(desired) => desired,
        Err(rejection) => {
            let in_force = status.api_id.map_or_else(String::new, |_| {
                format!(
                    "generation {} is not in force, AWS stays as it was: ",
                    record.generation()
                )
            });
            findings.accepted = Draft::no(rejection.reason(), format!("{in_force}{}", rejection.message()));
            findings.resolved = Draft::unknown(
                Reason::NotObserved,
                "not looked up for a spec that is not accepted",
            );
            findings.programmed = Draft::unknown(
                Reason::NotObserved,
                "not compared with a spec that is not accepted",
            );
            return Ok(None);
        }
    };
    findings.accepted = Draft::yes(Reason::Accepted, "the spec is accepted");
    Ok(Some(Aim {
        place,
        owner,
        nonce,
        desired,
    }))
}

/// Why the operator must keep its hands off: it acts elsewhere than where the API is.
pub(crate) fn elsewhere(status: &JwtHttpApiStatus, place: &Place, owner: &Owner) -> Option<String> {
    planted!(AnyPlace => {
        return None;
    });
    let differs = |stored: &Option<String>, now: &str| stored.as_deref().is_some_and(|stored| stored != now);
    let parts = [
        ("account", "accountId", &status.account_id, &place.account),
        ("Region", "region", &status.region, &place.region),
        ("cluster id", "clusterId", &status.cluster_id, &owner.cluster),
    ];
    let (what, field, stored, now) = parts
        .into_iter()
        .find(|(_, _, stored, now)| differs(stored, now))?;
    let stored = stored.as_deref().unwrap_or_default();
    Some(format!(
        "the API is in {what} {stored} and the operator acts in {now}; give the operator credentials and settings of {stored}, or empty status.{field} if the API is to be looked for in {now}"
    ))
}
