//! Which covariances the components of a mixture may have.

use super::sweep::m_step::Scatter;
use std::fmt;

/// A family of covariances; the families are partly ordered by inclusion, see [`CovarianceKind::contains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CovarianceKind {
    /// One variance for all components: `Sigma_j = s I` (mclust: EII, or E in one dimension).
    SharedSpherical,
    /// A variance for each component: `Sigma_j = s_j I` (VII, or V in one dimension).
    Spherical,
    /// One diagonal matrix for all components (EEI).
    SharedDiagonal,
    /// A diagonal matrix for each component (VVI).
    Diagonal,
    /// One matrix for all components, also called tied (EEE).
    Shared,
    /// Equal shape: `Sigma_j = s_j D_j A D_j'` with one diagonal `A` of determinant 1 (VEV).
    EqualShape,
    /// A matrix for each component (VVV).
    Full,
}

impl CovarianceKind {
    /// Every family, from few parameters to many.
    pub const ALL: [Self; 7] = [
        Self::SharedSpherical,
        Self::Spherical,
        Self::SharedDiagonal,
        Self::Diagonal,
        Self::Shared,
        Self::EqualShape,
        Self::Full,
    ];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SharedSpherical => "tied-spherical",
            Self::Spherical => "spherical",
            Self::SharedDiagonal => "tied-diagonal",
            Self::Diagonal => "diagonal",
            Self::Shared => "tied",
            Self::EqualShape => "equal-shape",
            Self::Full => "full",
        }
    }

    /// The family called `name`, by our names or by the three letters of mclust (`E` and `V` in one dimension).
    pub fn from_name(name: &str) -> Option<Self> {
        let ours = Self::ALL.into_iter().find(|k| k.name() == name);
        ours.or(match name {
            "EII" | "E" => Some(Self::SharedSpherical),
            "VII" | "V" => Some(Self::Spherical),
            "EEI" => Some(Self::SharedDiagonal),
            "VVI" => Some(Self::Diagonal),
            "EEE" => Some(Self::Shared),
            "VEV" => Some(Self::EqualShape),
            "VVV" => Some(Self::Full),
            _ => None,
        })
    }

    /// Free parameters of the covariances of `components` components in `dim` dimensions.
    pub fn covariance_parameters(self, components: usize, dim: usize) -> usize {
        let full = dim * (dim + 1) / 2;
        match self {
            Self::SharedSpherical => 1,
            Self::Spherical => components,
            Self::SharedDiagonal => dim,
            Self::Diagonal => components * dim,
            Self::Shared => full,
            Self::EqualShape => components + (dim - 1) + components * (full - dim),
            Self::Full => components * full,
        }
    }

    /// Free parameters of the whole mixture: weights, means and covariances.
    pub fn parameters(self, components: usize, dim: usize) -> usize {
        components - 1 + components * dim + self.covariance_parameters(components, dim)
    }

    /// Whether every mixture of the family `other` with the same number of components lies in this one.
    ///
    /// ```
    /// use wickring::learn::mixture::CovarianceKind::{Diagonal, EqualShape, Full, Shared};
    /// assert!(Full.contains(EqualShape) && EqualShape.contains(Shared) && !Shared.contains(Diagonal));
    /// ```
    pub fn contains(self, other: Self) -> bool {
        use CovarianceKind as K;
        match self {
            K::SharedSpherical => other == K::SharedSpherical,
            K::Spherical => matches!(other, K::SharedSpherical | K::Spherical),
            K::SharedDiagonal => matches!(other, K::SharedSpherical | K::SharedDiagonal),
            K::Diagonal => matches!(
                other,
                K::SharedSpherical | K::Spherical | K::SharedDiagonal | K::Diagonal
            ),
            K::Shared => matches!(other, K::SharedSpherical | K::SharedDiagonal | K::Shared),
            // Spherical components have equal shape; diagonal ones do not.
            K::EqualShape => !matches!(other, K::Diagonal | K::Full),
            K::Full => true,
        }
    }

    /// What of the scatters the family needs.
    pub(in crate::learn::mixture) fn scatter(self) -> Scatter {
        match self {
            Self::SharedSpherical | Self::Spherical => Scatter::Trace,
            Self::SharedDiagonal | Self::Diagonal => Scatter::Diagonal,
            Self::Shared => Scatter::Pooled,
            Self::EqualShape | Self::Full => Scatter::Full,
        }
    }

    /// Whether each component has a covariance, or a volume, of its own.
    pub(in crate::learn::mixture) fn is_own(self) -> bool {
        !matches!(
            self,
            Self::SharedSpherical | Self::SharedDiagonal | Self::Shared
        )
    }

    /// Fewest different rows that a component needs, so that its covariance is determined by more than it fits.
    pub(in crate::learn::mixture) fn samples_for_one(self, dim: usize) -> f64 {
        match self {
            Self::SharedSpherical | Self::SharedDiagonal | Self::Shared => 2.0,
            Self::Spherical | Self::Diagonal => 3.0,
            Self::EqualShape | Self::Full => dim as f64 + 2.0,
        }
    }

    /// The power with which the chance of a narrow component of `size` rows falls with its volume.
    pub(in crate::learn::mixture) fn free_of_chance(self, size: f64, dim: usize) -> f64 {
        let fixed = match self {
            Self::EqualShape | Self::Full => dim as f64,
            _ => 1.0,
        };
        (size - fixed).max(0.0)
    }
}

impl fmt::Display for CovarianceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
